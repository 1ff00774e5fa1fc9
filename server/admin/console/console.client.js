// The console's script: asks for the overview in turns, and shows what has changed. It runs in a browser as it stands here.

const EVERY_MS = 1_000;
/** Days of a certificate below which it is pointed at; rotation has begun by then. */
const FEW_DAYS = 14;
/** OCSF severities from which on an event is trouble. */
const LOW = 2;

const at = (id) => document.getElementById(id);

/** Writes only what is new, so that selections and screen readers are left in peace. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tone(element, name) {
  for (const one of ['good', 'warn', 'bad']) element.classList.toggle(one, one === name);
}

/** Three digits at most, so that it fits into its column. */
function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, step] = [count, 0];
  for (; value >= 999.5 && step < units.length - 1; step += 1) value /= 1024;
  return `${value.toFixed(step === 0 || value >= 99.95 ? 0 : 1)} ${units[step]}`;
}

function span(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${Math.max(0, Math.floor(seconds))} s`;
}

/** Bytes a second since the last look, by session. */
const rates = new Map();
function measure(sessions, now) {
  for (const { id, transfer } of sessions) {
    const before = rates.get(id);
    if (!transfer) rates.delete(id);
    else if (before && before.path === transfer.path && transfer.bytes >= before.bytes)
      rates.set(id, { path: transfer.path, bytes: transfer.bytes, now, rate: ((transfer.bytes - before.bytes) * 1_000) / (now - before.now) });
    else rates.set(id, { path: transfer.path, bytes: transfer.bytes, now, rate: transfer.seconds > 0 ? transfer.bytes / transfer.seconds : 0 });
  }
  const there = new Set(sessions.map(({ id }) => id));
  for (const id of rates.keys()) if (!there.has(id)) rates.delete(id);
}

function figure(id, value, more, name) {
  const [main, small] = at(`figure-${id}`).querySelectorAll('dd');
  say(main, value);
  say(small, more);
  tone(main, name);
}

function showFigures({ sessions, standing, health }) {
  const running = sessions.filter(({ transfer }) => transfer);
  const loggedIn = sessions.filter(({ user }) => user !== undefined).length;
  figure('sessions', String(sessions.length), `${loggedIn} logged in`);
  figure('transfers', String(running.length), `${bytes(running.reduce((sum, { id }) => sum + (rates.get(id)?.rate ?? 0), 0))}/s`);
  const { open, waitedOn } = standing.passive;
  figure('ports', String(waitedOn), `of ${open} open`, waitedOn >= open ? 'warn' : undefined);
  const [first] = standing.certificates.toSorted((one, other) => one.daysLeft - other.daysLeft);
  if (first) {
    const days = Math.floor(first.daysLeft);
    const few = days < FEW_DAYS;
    const ends = `${first.subject}, ${days < 0 ? 'ended' : 'ends'} ${first.notAfter.slice(0, 10)}${few ? '; its renewal is overdue' : ''}`;
    const left = days === 1 ? '1 day' : days === 0 ? 'today' : `${days} days`;
    figure('certificate', days < 0 ? 'expired' : left, ends, days < 0 ? 'bad' : few ? 'warn' : undefined);
  } else figure('certificate', 'none', '');
  const { transfers: _, ...own } = health.parts;
  const parts = Object.entries({ ...own, ...standing.dependencies });
  const down = parts.filter(([, state]) => state.startsWith('down'));
  const told = (down.length > 0 ? down : parts).map(([part, state]) => `${part} ${state}`).join(', ');
  figure('parts', down.length > 0 ? `${down.map(([part]) => part).join(', ')} down` : 'up', told, down.length > 0 ? 'bad' : 'good');
}

function cell(row, text, name) {
  const one = row.insertCell();
  one.textContent = text;
  if (name) one.className = name;
  return one;
}

/** A row for each session, kept as long as the session is there. */
const rows = new Map();

function newRow({ id, address }) {
  const row = document.createElement('tr');
  const [account, , , since, transfer, progress, moved, rate] = ['', address, '', '', '', '', '', ''].map((text) => cell(row, text));
  for (const one of [moved, rate]) one.className = 'number';
  const bar = document.createElement('progress');
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Kick…';
  button.addEventListener('click', () => kick(rows.get(id).session));
  cell(row, '').append(button);
  return { row, account, since, transfer, progress, bar, moved, rate, button, session: undefined };
}

function showRow(shown, session, now) {
  shown.session = session;
  const { id, user, address, listener, since, transfer } = session;
  shown.button.setAttribute('aria-label', `Close the session of ${user ?? address}`);
  say(shown.account, user ?? 'not logged in');
  say(shown.row.cells[2], listener);
  say(shown.since, span((now - Date.parse(since)) / 1_000));
  say(shown.transfer, transfer ? `${transfer.command} ${transfer.path}` : '');
  shown.transfer.title = transfer?.path ?? '';
  say(shown.moved, transfer ? bytes(transfer.bytes) : '');
  say(shown.rate, transfer ? `${bytes(rates.get(id)?.rate ?? 0)}/s` : '');
  if (!transfer) shown.bar.remove();
  else {
    if (!shown.bar.isConnected) shown.progress.append(shown.bar);
    shown.bar.setAttribute('aria-label', `Progress of ${transfer.path}`);
    if (transfer.total === undefined) shown.bar.removeAttribute('value');
    else {
      shown.bar.max = Math.max(1, transfer.total);
      shown.bar.value = transfer.total === 0 ? 1 : transfer.bytes;
    }
  }
}

function showSessions(sessions, now) {
  const wanted = at('filter').value.trim().toLowerCase();
  const onlyTransfers = at('only-transfers').checked;
  const visible = sessions
    .filter(({ transfer }) => transfer || !onlyTransfers)
    .filter(({ user, address, transfer }) => [user, address, transfer?.path].some((text) => text?.toLowerCase().includes(wanted)) || wanted === '')
    .toSorted((one, other) => Number(Boolean(other.transfer)) - Number(Boolean(one.transfer)) || one.since.localeCompare(other.since));
  const there = new Set(visible.map(({ id }) => id));
  for (const [id, { row }] of rows)
    if (!there.has(id)) {
      row.remove();
      rows.delete(id);
    }
  const body = at('sessions');
  visible.forEach((session, index) => {
    if (!rows.has(session.id)) rows.set(session.id, newRow(session));
    const shown = rows.get(session.id);
    showRow(shown, session, now);
    // Moved only where it is out of place: what has the focus keeps it.
    if (body.rows[index] !== shown.row) body.insertBefore(shown.row, body.rows[index] ?? null);
  });
  at('nobody').hidden = visible.length > 0;
  say(at('nobody'), sessions.length > 0 ? 'No session is like that.' : 'Nobody is connected.');
}

/** What the message leaves out: the file, what was moved, and why something was refused or failed. */
function aboutOf({ message = '', file, traffic, status_detail: reason, unmapped }) {
  const moved = traffic === undefined ? '' : bytes(traffic.bytes);
  const parts = [file?.path, moved, reason, unmapped?.detail].filter((text) => typeof text === 'string' && text !== '');
  return parts.filter((text) => !message.toLowerCase().includes(text.toLowerCase())).join(', ');
}

let eventsShown;
function showEvents(recent) {
  const onlyBad = at('only-bad').checked;
  const lines = recent.filter(({ severity_id: severity }) => severity >= LOW || !onlyBad);
  const key = `${onlyBad} ${recent[0]?.metadata?.uid ?? recent[0]?.time} ${recent.length}`;
  at('quiet').hidden = lines.length > 0;
  if (key === eventsShown) return;
  eventsShown = key;
  at('events').replaceChildren(
    ...lines.map((line) => {
      const row = document.createElement('tr');
      cell(row, new Date(line.time).toISOString().slice(11, 19));
      cell(row, line.message ?? '', line.severity_id > LOW ? 'bad' : line.severity_id === LOW ? 'warn' : undefined);
      cell(row, line.user?.name ?? line.actor?.user?.name ?? '');
      cell(row, line.src_endpoint?.ip ?? '');
      cell(row, aboutOf(line));
      return row;
    }),
  );
}

let as2Shown;
function showAs2(messages) {
  at('as2').hidden = messages === undefined;
  if (!messages) return;
  const wanted = at('as2-filter').value.trim().toLowerCase();
  const onlyBad = at('as2-only-bad').checked;
  const visible = messages
    .filter(({ failed }) => failed || !onlyBad)
    .filter(({ partner, messageId }) => wanted === '' || [partner, messageId].some((text) => text.toLowerCase().includes(wanted)));
  at('as2-quiet').hidden = visible.length > 0;
  say(at('as2-quiet'), messages.length > 0 ? 'No message is like that.' : 'No message has come or gone yet.');
  const key = JSON.stringify(visible);
  if (key === as2Shown) return;
  as2Shown = key;
  at('as2-messages').replaceChildren(
    ...visible.map(({ at: time, partner, direction, state, messageId, failed, about }) => {
      const row = document.createElement('tr');
      cell(row, time.slice(11, 19)).title = time;
      cell(row, partner);
      cell(row, direction === 'sent' ? 'out' : 'in');
      cell(row, state, failed ? 'bad' : state === 'awaiting' ? 'warn' : undefined);
      cell(row, messageId).title = messageId;
      cell(row, about).title = about;
      return row;
    }),
  );
}

let last;
function show(overview) {
  last = overview;
  const now = Date.now();
  const { host, version, startedAt, health, sessions, recent } = overview;
  measure(sessions, now);
  document.title = `FTPS ${host}`;
  say(at('host'), host);
  say(at('about'), `version ${version}, up ${span((now - Date.parse(startedAt)) / 1_000)}`);
  say(at('state'), health.status === 'ok' ? 'serving' : health.status);
  tone(at('state'), { ok: 'good', draining: 'warn', failed: 'bad' }[health.status]);
  at('drain').disabled = health.status === 'draining';
  showFigures(overview);
  showSessions(sessions, now);
  showAs2(overview.standing.as2);
  showEvents(recent);
}

/** Why the server is not heard, and why the last order failed. */
const troubles = { silence: '', order: '' };
function trouble(kind, text) {
  troubles[kind] = text;
  const all = Object.values(troubles).filter(Boolean).join(' ');
  at('trouble').hidden = all === '';
  say(at('trouble'), all);
}

let heardAt = Date.now();
async function look() {
  try {
    const response = await fetch('/overview');
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    show(await response.json());
    heardAt = Date.now();
    trouble('silence', '');
  } catch {
    say(at('state'), 'unreachable');
    tone(at('state'), 'bad');
    trouble('silence', `The server has not answered for ${span((Date.now() - heardAt) / 1_000)}. What is below is as it was then.`);
  }
  setTimeout(look, EVERY_MS);
}

/** Fulfilled with whether the person said yes. Escape is a no. */
function confirmed(title, text, yes) {
  const dialog = at('confirm');
  say(at('confirm-title'), title);
  say(at('confirm-text'), text);
  say(at('confirm-yes'), yes);
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
}

async function order(path) {
  const response = await fetch(path, { method: 'POST' }).catch(() => undefined);
  // A session that is gone already is what was wanted.
  const reached = response?.ok || response?.status === 404;
  trouble('order', reached ? '' : 'The order did not reach the server; try again.');
}

async function kick({ id, user, address, transfer }) {
  const loss = transfer ? `Its transfer of ${transfer.path} is cut.` : 'Nothing is being transferred.';
  if (await confirmed(`Close the session of ${user ?? 'somebody not logged in'}?`, `It comes from ${address}. ${loss}`, 'Close session'))
    await order(`/sessions/${id}/kick`);
}

at('drain').addEventListener('click', async () => {
  const text = 'No new sessions are taken, transfers finish, then the server stops. On an instance, it is started again or replaced.';
  if (await confirmed('Drain this server?', text, 'Drain')) await order('/drain');
});
for (const id of ['filter', 'only-transfers', 'only-bad', 'as2-filter', 'as2-only-bad']) at(id).addEventListener('input', () => last && show(last));
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target instanceof HTMLInputElement || at('confirm').open) return;
  event.preventDefault();
  at('filter').focus();
});
look();
