/** Opens the door of HTTPS. */
import { application } from './application';
import type { HttpsEngine } from './engine';
import { HttpsListener } from './listener';

/** Opens the port. Throws an Error that names the setting where it can't be. */
export async function openHttps(engine: HttpsEngine): Promise<HttpsListener> {
  const listener = new HttpsListener(engine, application);
  await listener.open();
  return listener;
}
