/** Whether clients present a certificate. */
export enum ClientCertificates {
  OFF = 'off',
  OPTIONAL = 'optional',
  REQUIRED = 'required',
}
