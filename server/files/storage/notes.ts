/** Names of notes (`Notes`), which become names of files and objects. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}(\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){0,3}$/;

/** The name as it is. Throws where it is none, so that no path is ever made of it. */
export function checkedName(name: string): string {
  if (NAME.test(name)) return name;
  throw new Error(`${JSON.stringify(name)} is no name of a note`);
}
