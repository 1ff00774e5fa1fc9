/** Puts our ciphers into ssh2. Its key exchange takes them when it is loaded, so this is imported before it. */
import crypto from 'ssh2/lib/protocol/crypto.js';
import { createCipher, createDecipher } from './ciphers';

Object.assign(crypto, { createCipher, createDecipher });
