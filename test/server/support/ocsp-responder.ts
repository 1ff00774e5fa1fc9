/** An authority's OCSP responder on loopback. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  BasicOCSPResponse,
  CertStatus,
  id_pkix_ocsp_basic,
  KeyHash,
  OCSPRequest,
  OCSPResponse,
  OCSPResponseStatus,
  ResponderID,
  ResponseBytes,
  ResponseData,
  RevokedInfo,
  SingleResponse,
} from '@peculiar/asn1-ocsp';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import type { TestAuthority } from './authority';

const HOUR_MS = 3_600_000;

/** In whole seconds (RFC 5280, section 4.1.2.5.2: no fractions): OpenSSL takes `.84` for earlier than `.839`. */
const ago = (milliseconds: number) => new Date(Math.floor((Date.now() - milliseconds) / 1000) * 1000);

export class OcspResponder {
  /** What it says of every certificate. */
  says: 'good' | 'revoked' | 'stale' | 'nothing' = 'good';
  asked = 0;
  address = '';
  /** Signs the answers; whoever issued the certificates, unless a test has another do it. */
  signer: TestAuthority | undefined;
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        this.asked += 1;
        response.writeHead(200, { 'content-type': 'application/ocsp-response' }).end(this.answer(Buffer.concat(chunks)));
      });
    });
  }

  static async start(): Promise<OcspResponder> {
    const responder = new OcspResponder();
    await once(responder.server.listen(0, '127.0.0.1'), 'listening');
    responder.address = `http://127.0.0.1:${(responder.server.address() as AddressInfo).port}/`;
    return responder;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(question: Buffer): Buffer {
    if (this.says === 'nothing') return Buffer.from(AsnConvert.serialize(new OCSPResponse({ responseStatus: OCSPResponseStatus.tryLater })));
    const age = this.says === 'stale' ? 48 * HOUR_MS : HOUR_MS;
    const [{ reqCert }] = AsnConvert.parse(question, OCSPRequest).tbsRequest.requestList as [{ reqCert: SingleResponse['certID'] }];
    const data = new ResponseData({
      responderID: new ResponderID({ byKey: new KeyHash(reqCert.issuerKeyHash.buffer) }), // it signs with the issuer's own key
      producedAt: ago(0),
      responses: [
        new SingleResponse({
          certID: reqCert,
          certStatus: new CertStatus(this.says === 'revoked' ? { revoked: new RevokedInfo({ revocationTime: ago(0) }) } : { good: null }),
          thisUpdate: ago(age),
          nextUpdate: ago(age - 24 * HOUR_MS),
        }),
      ],
    });
    const basic = new BasicOCSPResponse({
      tbsResponseData: data,
      signatureAlgorithm: new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' }),
      signature: new Uint8Array(this.signer!.sign(AsnConvert.serialize(data))).buffer as ArrayBuffer,
    });
    const responseBytes = new ResponseBytes({ responseType: id_pkix_ocsp_basic, response: new OctetString(AsnConvert.serialize(basic)) });
    return Buffer.from(AsnConvert.serialize(new OCSPResponse({ responseStatus: OCSPResponseStatus.successful, responseBytes })));
  }
}
