/** Opens HTTPS: links, uploads that go on later, and the port. */
import { FairTurns } from '../files/fair-turns';
import type { PasswordChecks } from '../identity/hashing/checks';
import type { OpenProtocol } from '../sessions/protocol';
import { application } from './application';
import type { HttpsEngine } from './engine';
import { Links } from './links/links';
import { HttpsListener } from './listener';
import { RequestRates } from './rates';
import { Uploads } from './uploads';

/** Codes that issuers are asked about at once, and of one address: each costs them something, and whoever comes may make one up. */
const COMING_BACK = 16;
const COMING_BACK_OF_ADDRESS = 2;

/** Opens the port. Throws an Error that names the setting where it can't be. */
export async function openHttps(
  parts: Omit<HttpsEngine, 'links' | 'comingBack'> & { readonly passwords: PasswordChecks },
  place: { readonly index: number; readonly count: number },
): Promise<OpenProtocol> {
  const { files, identity, passwords, config } = parts;
  const engine: HttpsEngine = {
    ...parts,
    links: new Links({ notes: files.notes, identity, passwords, config: config.https.links }),
    comingBack: new FairTurns(COMING_BACK, COMING_BACK_OF_ADDRESS),
  };
  const uploads = new Uploads(engine.config.https.uploadIdleSeconds, place);
  const listener = new HttpsListener(
    engine,
    application({ uploads, links: engine.links, requests: engine.requests, rates: new RequestRates(engine.requests, engine.config.https.requestsPerMinute) }),
  );
  await listener.open();
  return {
    ports: [{ mode: 'https', host: config.https.host, port: listener.port }],
    stopTaking: () => listener.stopTaking(),
    async close() {
      // Gives up those that wait to go on.
      await uploads.close();
      await listener.close();
    },
  };
}
