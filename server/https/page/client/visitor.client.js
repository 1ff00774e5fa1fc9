// Who is signed in, and who wants to know.

let who;
const watchers = [];

/** Undefined while nobody is. */
export const visitor = () => who;
export const may = (permission) => who?.permissions.includes(permission) ?? false;

export function setVisitor(next) {
  if (who === next) return;
  who = next;
  for (const act of watchers) act(who);
}

/** `act` is called whenever somebody signs in (with who it is) or out. */
export const onVisitor = (act) => watchers.push(act);
