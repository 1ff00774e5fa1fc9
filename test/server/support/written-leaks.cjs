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
  return [secret, ...lines].filter((piece) => piece.length >= LEAST);
}

/** Characters by which a trace is recognised before it is compared: no trace is shorter. */
const LEAST = 8;
/** A hash of those that is carried along: each character counts once more this many times for every one behind it. */
const BASE = 0x01000193;
const OLDEST = Array.from({ length: LEAST }).reduce((power) => Math.imul(power, BASE), 1);

/**
 * Where these texts first begin in `written`: it is gone through once, however many there are. One after the other they took seconds, when all tests were over.
 * @returns {Map<string, number>}
 */
function firstPlaces(written, texts) {
  const hashOf = (text) => {
    let hash = 0;
    for (let at = 0; at < LEAST; at += 1) hash = (Math.imul(hash, BASE) + text.charCodeAt(at)) | 0;
    return hash;
  };
  const byHash = new Map();
  const maybe = new Uint8Array(1 << 20);
  for (const text of texts) {
    const hash = hashOf(text);
    byHash.set(hash, [...(byHash.get(hash) ?? []), text]);
    maybe[hash >>> 12] = 1;
  }
  const places = new Map();
  let hash = 0;
  for (let end = 0; end < written.length; end += 1) {
    hash = (Math.imul(hash, BASE) + written.charCodeAt(end)) | 0;
    if (end >= LEAST) hash = (hash - Math.imul(OLDEST, written.charCodeAt(end - LEAST))) | 0;
    if (maybe[hash >>> 12] === 0) continue;
    const at = end + 1 - LEAST;
    for (const text of byHash.get(hash) ?? []) if (!places.has(text) && written.startsWith(text, at)) places.set(text, at);
  }
  return places;
}

/** @returns {string[]} where and what; empty where nothing leaked */
exports.leaksIn = (written, secrets) => {
  const found = [];
  const around = (at, length) => written.slice(Math.max(0, at - 60), at + length + 20).replaceAll('\n', '⏎');
  for (const form of forms) {
    const match = form.exec(written);
    if (match) found.push(`${form}: …${around(match.index, match[0].length)}…`);
  }
  // As it is, and as JSON writes it.
  const texts = new Set(secrets.flatMap(tracesOf).flatMap((trace) => [trace, JSON.stringify(trace).slice(1, -1)]));
  for (const [text, at] of firstPlaces(written, texts)) found.push(`${text.slice(0, 4)}…: …${around(at, text.length)}…`);
  return found;
};
