const KIB = 1024;
const MIB = 1024 * KIB;

export const RECIPIENTS_MAX = 50;
export const SUBJECT_LENGTH_MAX = 512;
export const TEXT_BYTES_MAX = 128 * KIB;
export const ATTACHMENTS_MAX = 16;
export const ATTACHMENT_BYTES_MAX = 32 * MIB;
export const FILE_NAME_LENGTH_MAX = 200;
export const FILE_TYPE_LENGTH_MAX = 100;
/** A letter with all of that, signed. */
export const LETTER_BYTES_MAX = 200 * KIB;
/** The smallest size that a letter or an attachment is padded to. */
export const PADDED_BYTES_MIN = 1024;

/** A letter as JSON, of which each character may take six. */
export const REQUEST_BYTES_MAX = 2 * MIB;

export const LETTER_ID_BYTES = 16;
export const CONTACTS_MAX = 10_000;
export const CONTACT_NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u;

/** Recipients that a letter is sent to at the same time. */
export const DELIVERIES_UNDER_WAY_MAX = 8;
export const DELIVERY_TIMEOUT_MS = 60_000;
