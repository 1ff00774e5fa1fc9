// Requests with the bytes of a file.

/** Says how far it is. Resolved with its answer; rejected where the connection failed (`lost`), or it was ended. */
export function send({ method, url, headers = {}, body, progress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (progress) request.upload.onprogress = ({ loaded }) => progress(loaded);
    request.onload = () => {
      let problem;
      try {
        problem = JSON.parse(request.responseText);
      } catch {
        problem = undefined;
      }
      resolve({ status: request.status, problem, header: (name) => request.getResponseHeader(name) });
    };
    request.onerror = () => reject(new Error('lost'));
    request.onabort = () => reject(new DOMException('', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(body);
  });
}

/** Sooner where it is no longer wanted. */
export const wait = (seconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    const given = () => {
      clearTimeout(timer);
      resolve();
    };
    signal?.addEventListener('abort', given, { once: true });
  });
