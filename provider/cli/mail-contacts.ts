import type { Contact } from '../mail/index.ts';
import { print } from './mail-actions.ts';
import { withMail } from './mail-session.ts';
import type { MailFlags } from './mail.ts';
import { formatTable } from './output.ts';

export async function contacts(flags: MailFlags): Promise<void> {
  await withMail(flags, async (ask) => {
    const { contacts: known, blocked } = await ask<{ contacts: Contact[]; blocked: string[] }>('GET /contacts');
    print(flags, { contacts: known, blocked }, () => [
      known.length === 0
        ? 'No contacts.'
        : formatTable(
            ['name', 'verified', 'peer'],
            known.map(({ name, isVerified, peer }) => [name, isVerified ? 'yes' : 'no', peer]),
          ),
      ...blocked.map((peer) => `Blocked: ${peer}`),
    ]);
  });
}

export async function addContact(name: string, peer: string, flags: MailFlags): Promise<void> {
  await withMail(flags, async (ask) => {
    const contact = await ask<Contact>('POST /contacts', { name, peer });
    print(flags, contact, () => [
      `${name} is ${peer}, not verified. Ask them, then: workswap mail contacts verify ${name} PEER-ID`,
    ]);
  });
}

export async function verifyContact(name: string, told: string, flags: MailFlags): Promise<void> {
  await withMail(flags, async (ask) => {
    const contact = await ask<Contact>('POST /contacts/verify', { name, peer: told });
    print(flags, contact, () => [`${name} is verified.`]);
  });
}

export async function removeContact(name: string, flags: MailFlags): Promise<void> {
  await withMail(flags, async (ask) => {
    const { peer } = await ask<{ peer: string }>(`DELETE /contacts?${new URLSearchParams({ who: name })}`);
    print(flags, { removed: name, peer }, () => [`${name} is no contact any more.`]);
  });
}

export async function setBlocked(who: string, isBlocked: boolean, flags: MailFlags): Promise<void> {
  await withMail(flags, async (ask) => {
    const { peer } = await ask<{ peer: string }>('POST /blocked', { who, isBlocked });
    print(flags, { peer, isBlocked }, () => [`Letters of ${who} are ${isBlocked ? 'refused' : 'taken'} from now on.`]);
  });
}
