/** Goes on with a storage's sweep beside everything else. The returned function ends it after the step that it is at. */
export function sweepOn(sweep: AsyncGenerator<void>, failed: (error: Error) => void): () => Promise<void> {
  let isOver = false;
  const goOn = async () => {
    while (!isOver && !(await sweep.next()).done);
    await sweep.return(undefined);
  };
  const gone = goOn().catch(failed);
  return async () => {
    isOver = true;
    await gone;
  };
}
