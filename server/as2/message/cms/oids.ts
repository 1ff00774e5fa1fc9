/** Object identifiers of CMS, S/MIME and their keys, by the names of their RFCs. */
export const DATA = '1.2.840.113549.1.7.1';
export const SIGNED_DATA = '1.2.840.113549.1.7.2';
export const ENVELOPED_DATA = '1.2.840.113549.1.7.3';
export const AUTH_ENVELOPED_DATA = '1.2.840.113549.1.9.16.1.23';
export const COMPRESSED_DATA = '1.2.840.113549.1.9.16.1.9';
export const ZLIB = '1.2.840.113549.1.9.16.3.8';

export const CONTENT_TYPE = '1.2.840.113549.1.9.3';
export const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
export const SIGNING_TIME = '1.2.840.113549.1.9.5';

export const RSA = '1.2.840.113549.1.1.1';
export const RSA_OAEP = '1.2.840.113549.1.1.7';
export const MGF1 = '1.2.840.113549.1.1.8';
export const RSA_PSS = '1.2.840.113549.1.1.10';
export const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
