/** The directory could not answer: nobody can be let in or refused because of it. */
export class DirectoryDown extends Error {
  constructor(
    message: string,
    /** Whether the connection had gone before anything was asked on it, so that another may be tried. */
    readonly wasStale = false,
  ) {
    super(message);
    this.name = 'DirectoryDown';
  }
}
