/** Serial numbers as ACM (`0a:1b:…`) and as Node (`0A1B…`) write them. */
import { X509Certificate } from 'node:crypto';
import type { CertificateMaterial } from '../../../server/config';

/** Undefined where there is no certificate that can be read. */
export function serialOf(material: CertificateMaterial | undefined): string | undefined {
  try {
    return material && new X509Certificate(material.certificate).serialNumber;
  } catch {
    return undefined;
  }
}

/** Whether both are there and name the same certificate of one authority. */
export function sameSerial(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && plain(one) === plain(other);
}

function plain(serial: string): string {
  return serial.replaceAll(':', '').replace(/^0+/, '').toUpperCase();
}
