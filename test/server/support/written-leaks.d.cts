export function leaksIn(written: string, secrets: readonly string[]): string[];
