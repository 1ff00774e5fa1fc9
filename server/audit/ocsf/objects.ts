/** Objects of OCSF that several classes have: endpoints, users, files, the application. */
import { posix } from 'node:path';
import type { KeyProof, SessionFacts } from '../event';
import type { OcsfContext } from './base-event';

/** Arguments and paths come from clients; more than this of one is cut. Characters. */
const LONGEST_TEXT = 1_024;

export function cut(text: string | undefined): string | undefined {
  return text !== undefined && text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

/** To the millisecond. */
export function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Of the classes of the network: who is connected to what, and as whom. */
export function network(facts: SessionFacts) {
  return {
    ...endpoints(facts),
    connection_info: { uid: facts.session, direction_id: 1, protocol_name: 'tcp' },
    actor: facts.user === undefined ? undefined : { user: { name: facts.user } },
  };
}

/** Of a login, or an attempt at one. */
export function authentication(facts: SessionFacts, login: string) {
  return { ...endpoints(facts), user: { name: cut(login) }, session: { uid: facts.session }, is_remote: true, is_cleartext: false };
}

function endpoints({ client, server }: SessionFacts) {
  return { src_endpoint: { ip: client.address, port: client.port }, dst_endpoint: { ip: server.address, port: server.port } };
}

/** A certificate of SSH, whose authority has no name but its key. */
export function sshCertificate({ keyId, serial, authority }: NonNullable<KeyProof['certificate']>) {
  return { subject: cut(keyId), serial_number: serial, issuer: authority };
}

/** `typeId`: 1 a file, 2 a folder, 0 where it is not known. */
export function file(path: string, typeId: 0 | 1 | 2) {
  return { name: cut(posix.basename(path) || '/'), path: cut(path), type_id: typeId };
}

/** This server. */
export function app({ productVersion }: OcsfContext) {
  return { app: { name: 'cdk-ftps', vendor_name: 'cdk-ftps', version: productVersion } };
}
