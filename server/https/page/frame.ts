/** What the pages have around their content. */
interface Framed {
  readonly title: string;
  /** What stands in its head beside what all have. */
  readonly head?: string;
  readonly body: string;
}

export function framed({ title, head = '', body }: Framed): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="/page/page.css">
${head}</head>
<body>
${body}</body>
</html>
`;
}
