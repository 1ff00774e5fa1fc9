/** Place of the statements in the metadata of a template: ARN of the key → its statements. Read by `ftps key-policy`. */
export const KEY_POLICY = 'cdk-ftps:key-policy';
