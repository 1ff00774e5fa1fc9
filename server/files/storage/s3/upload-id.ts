/**
 * Metadata that says which upload made an object: an answer of S3 that got lost can be told from a failure by it, and of two uploads
 * of one name the younger, whose id sorts after the other's.
 */
export const UPLOAD_ID = 'ftps-upload';
