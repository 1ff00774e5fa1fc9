/** Code that runs in a thread of its own; the bundle carries it as text. */
declare module '*.thread.js' {
  const text: string;
  export default text;
}
