/** A server as the bench sees it: how to start it, and what of the measurements it can't do. */
import type { Workplace } from '../workplace';

export interface Ports {
  readonly control: number;
  /** Sixteen ports from here on. */
  readonly passive: number;
}

export interface Launch {
  /** A shell command that becomes the server; it must stay in the foreground. */
  readonly command: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Peer {
  readonly name: string;
  /** Version as its package or program says; undefined where the server is not there. */
  version(place: Workplace): string | undefined;
  /** Writes its configuration into `folder` and says how it is started. */
  launch(place: Workplace, ports: Ports, folder: string): Launch;
  /** Whether it makes a process per session: then fewer sessions are enough to see what one costs. */
  readonly forks: boolean;
  /** Whether it is measured without TLS: it has none that clients know to use. */
  readonly plain?: boolean;
  /** Whether it greets whoever connects, by which its start is noticed. Default: true. */
  readonly speaksFirst?: boolean;
  /** Not a competitor but a variant of this server, shown beside it. */
  readonly variant?: boolean;
}
