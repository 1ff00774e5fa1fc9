/** Where CloudWatch shows every metric of the kit. */
export const NAMESPACE = 'CdkFtps';
