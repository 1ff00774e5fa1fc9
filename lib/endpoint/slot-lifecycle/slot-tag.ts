/** Tag of an instance with the number of its slot, from 1. The Lambda writes it, the instance reads it from its metadata. */
export const SLOT_TAG = 'ftps-slot';
