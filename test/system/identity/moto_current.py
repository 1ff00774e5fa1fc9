"""moto whose secrets are read by their label AWSCURRENT, also after that was moved: moto itself goes on with the value that was put last."""

from moto.secretsmanager.models import SecretsManagerBackend

from serve_moto import serve

move = SecretsManagerBackend.update_secret_version_stage


def move_and_read(self, secret_id, version_stage, remove_from_version_id, move_to_version_id):
    answer = move(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
    if version_stage == "AWSCURRENT" and move_to_version_id:
        self.secrets[secret_id].set_default_version_id(move_to_version_id)
    return answer


SecretsManagerBackend.update_secret_version_stage = move_and_read
serve()
