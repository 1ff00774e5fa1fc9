/** What the drawings share: colours for light and dark, text. */
export const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export interface Text {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly kind?: 'title' | 'head' | 'line' | 'note';
  readonly anchor?: 'start' | 'middle' | 'end';
}

export const text = ({ x, y, text: words, kind = 'line', anchor = 'start' }: Text) =>
  `<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`;

/** `style` has the rules that this drawing alone needs. */
export function drawing(width: number, height: number, label: string, parts: readonly string[], style = ''): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}">
<style>
svg{--page:#fff;--ink:#1d2733;--soft:#5b6876;--box:#f5f7fa;--edge:#b9c3cf;--accent:#0b62a8;--vpc:#eef5ee;--vpcedge:#5d9a63}
@media(prefers-color-scheme:dark){svg{--page:#0f151c;--ink:#e6ebf1;--soft:#9eabb9;--box:#1a232d;--edge:#3d4b5a;--accent:#66b3f0;--vpc:#13201a;--vpcedge:#4c8a59}}
text{font:12px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:var(--ink)}
.title{font-size:19px;font-weight:600}.head{font-size:13.5px;font-weight:600}.line{font-size:11.5px;fill:var(--soft)}.note{font-size:11px;fill:var(--accent)}
.page{fill:var(--page)}.box{fill:var(--box);stroke:var(--edge)}.vpc{fill:var(--vpc);stroke:var(--vpcedge);stroke-dasharray:5 4}
.way{fill:none;stroke:var(--accent);stroke-width:1.6}.tip{fill:var(--accent)}${style}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>
<rect class="page" width="${width}" height="${height}" rx="8"/>
${parts.join('\n')}
</svg>
`;
}
