/** What the data path asks of the kernel's firewall: let this client reach this port, for a while. */

export interface Firewall {
  /** `off`, `up`, or `down: ` and why, for the administrator. */
  readonly state: string;
  /** Fulfilled when the client can get through. Admitting again begins the time anew. Throws where the firewall can't be opened. */
  admit(address: string, port: number, seconds: number): Promise<void>;
  /** Closes it again; what fails here is over when the time is. */
  withdraw(address: string, port: number): void;
  close(): Promise<void>;
}
