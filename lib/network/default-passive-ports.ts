/** The passive range where nothing is said. */
export const DEFAULT_PASSIVE_PORTS = '50000-50015';
