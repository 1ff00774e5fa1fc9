/** The reference of the API for people, made of the OpenAPI document: a page without a script. */
import { framed } from '../page/frame';

type Json = Readonly<Record<string, unknown>>;

export function referencePage(document: Json): string {
  const paths = Object.entries(document['paths'] as Record<string, Record<string, Json>>);
  const parts = paths.flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => operationPart(method, path, operation)));
  return framed({
    title: 'API of files',
    body: `<header><h1>API of files</h1></header>
<main>
<p>${escaped(String((document['info'] as Json)['description']))} The same for programs: <a href="/api/v1/openapi.json">openapi.json</a>.</p>
${parts.join('\n')}
</main>
`,
  });
}

function operationPart(method: string, path: string, { summary, description, parameters = [], responses }: Json): string {
  const rows = [
    ...(parameters as readonly Json[]).map((one) => [String(one['name']), `${String(one['in'])}. ${String(one['description'] ?? '')}`]),
    ...Object.entries(responses as Record<string, Json>).map(([status, one]) => [status === 'default' ? 'else' : status, String(one['description'])]),
  ];
  const table = rows.map(([name, text]) => `<tr><th scope="row"><code>${escaped(name!)}</code></th><td>${escaped(text!)}</td></tr>`).join('');
  return `<section><h2><code>${method.toUpperCase()} ${escaped(path)}</code></h2><p>${escaped(`${String(summary)}. ${String(description ?? '')}`)}</p><table>${table}</table></section>`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
