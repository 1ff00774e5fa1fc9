/** The evidence as one page that needs nothing else. */
import type { Evidence, ExaminedControl } from './examine';

const words = { shown: 'shown', missing: 'MISSING', 'not-covered': 'not covered' } as const;

export function evidencePage({ environment, inOrder, controls, unclaimedAlarms }: Evidence): string {
  const count = (status: ExaminedControl['status']) => controls.filter((one) => one.status === status).length;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>FTPS evidence: ${escaped(environment)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-left: .4rem solid #2a7; padding-left: 1rem; margin: 2rem 0; }
section.missing { border-color: #c22; } section.not-covered { border-color: #999; }
li.missing { color: #c22; font-weight: bold; } code { font-size: .85em; overflow-wrap: anywhere; } small { color: #555; }
</style>
<h1>FTPS evidence: ${escaped(environment)}</h1>
<p><strong>${inOrder ? 'Everything that is claimed is shown.' : 'Something that is claimed is not shown.'}</strong>
${count('shown')} controls shown, ${count('missing')} missing, ${count('not-covered')} not covered.</p>
${controls.map(section).join('\n')}
${unclaimedAlarms.length === 0 ? '' : `<p>Alarms that no control claims: ${unclaimedAlarms.map((one) => `<code>${escaped(one)}</code>`).join(', ')}</p>`}
</html>
`;
}

function section({ title, status, pci, hipaa, claims, why }: ExaminedControl): string {
  const references = [...pci.map((one) => `PCI DSS 4.0 ${one}`), ...hipaa.map((one) => `HIPAA ${one}`)].join(' · ');
  const lines = claims.map(({ text, evidence }) =>
    evidence.length === 0
      ? `<li class="missing">${escaped(text)}: nothing shows it</li>`
      : `<li>${escaped(text)}<br><small>${evidence.map((one) => `<code>${escaped(one)}</code>`).join('<br>')}</small></li>`,
  );
  return `<section class="${status}"><h2>${escaped(title)}: ${words[status]}</h2><p><small>${escaped(references)}</small></p>${why ? `<p>${escaped(why)}</p>` : ''}<ul>${lines.join('\n')}</ul></section>`;
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
