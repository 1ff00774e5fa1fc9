/** The parts that AS2 works with; one set for a process. */
import type { As2Config, ServerConfig } from '../config';
import type { ProtocolParts } from '../sessions/protocol';

/** What the entrance gives. */
export interface As2Parts extends ProtocolParts {
  readonly config: ServerConfig & { readonly as2: As2Config };
}
