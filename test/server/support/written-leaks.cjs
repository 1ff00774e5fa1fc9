/** Looks for secrets in what was written. */

/** What is a secret whoever made it up: private keys, hashes of passwords, keys and tokens of AWS. */
const forms = [
  /PRIVATE KEY/,
  /\$(?:scrypt|pbkdf2-sha256)\$[a-z]/,
  /\bA[KS]IA[0-9A-Z]{16}\b/,
  /[Ss]ecretAccessKey/,
  /[Ss]ecurityToken|SessionToken/,
  /"SecretString"/,
];

/** Pieces of a secret by which it would be recognised: itself, and for a key or anything long its lines. Nothing too short to mean something. */
function tracesOf(secret) {
  const lines = secret.split('\n').filter((line) => !line.startsWith('-----'));
  return [secret, ...lines].filter((piece) => piece.length >= 8);
}

/** @returns {string[]} where and what; empty where nothing leaked */
exports.leaksIn = (written, secrets) => {
  const found = [];
  const around = (at, length) => written.slice(Math.max(0, at - 60), at + length + 20).replaceAll('\n', '⏎');
  for (const form of forms) {
    const match = form.exec(written);
    if (match) found.push(`${form}: …${around(match.index, match[0].length)}…`);
  }
  for (const secret of new Set(secrets.flatMap(tracesOf))) {
    // As it is, and as JSON writes it.
    for (const text of new Set([secret, JSON.stringify(secret).slice(1, -1)])) {
      const at = written.indexOf(text);
      if (at >= 0) found.push(`${text.slice(0, 4)}…: …${around(at, text.length)}…`);
    }
  }
  return found;
};
