/** What a Lambda that runs in the test's own process says, by console and standard output. */
export class Said {
  private text = '';

  /** Listens from here to the end of the test; `jest.restoreAllMocks` ends it. */
  listen(): void {
    const write = process.stdout.write.bind(process.stdout);
    jest.spyOn(process.stdout, 'write').mockImplementation((chunk, ...rest) => {
      this.text += String(chunk);
      return write(chunk, ...(rest as []));
    });
    jest.spyOn(console, 'info').mockImplementation((line) => {
      this.text += line;
    });
  }

  /** Everything so far, with what was `answered` besides. */
  all(answered: object): string {
    this.text += JSON.stringify(answered);
    return this.text;
  }
}
