import { type Authorization, challengeName, type Domain, type Order, type Renewal } from '@certwright/core';
import { seenAliases } from './seen-alias';

interface Asked {
  domain: Domain;
  renewal: Renewal | null;
  acmeZone: string | null;
}

/** The 202 of issue-certificate and renew: what to set, as far as it is known. Of several values `expected_txt_value` is the first. */
export function presentIssuing(order: Order, asked: Asked) {
  const challengeDomain = challengeName(asked.domain.name);
  // Also while the CA validates: it may still look, so the record has to stay.
  const isAwaited = order.status === 'awaiting_dns' || order.status === 'validating';
  const open = isAwaited ? order.authorizations.filter(({ status }) => status === 'pending') : [];
  const { toSet, instructions } = whatToDo(order, open, asked);
  const [first] = [toSet, open].flatMap((some) => [...some.filter(({ txtName }) => txtName === challengeDomain), ...some]);
  return {
    order_id: order.id,
    status: order.neededBy === null ? 'certificate_pending' : 'active',
    challenge_domain: first?.txtName ?? challengeDomain,
    expected_txt_value: first?.txtValue ?? null,
    deadline: open.length > 0 ? (order.deadlineAt?.toISOString() ?? null) : null,
    challenges: open.map(({ identifier, wildcard, txtName, txtValue }) => ({ identifier, wildcard, txt_name: txtName, txt_value: txtValue })),
    instructions,
  };
}

/** Which values have to be set, and what else is to be done: those of names that are aliases of ours come from our own name servers. */
function whatToDo(order: Order, open: Authorization[], { domain, renewal, acmeZone }: Asked): { toSet: Authorization[]; instructions: string } {
  const fqdns = open.length > 0 ? open.map(({ txtName }) => txtName) : order.names.map(challengeName);
  // A renewal that relies on the alias is ordered where that has just been seen: only its own looks are newer.
  const relies = acmeZone !== null && order.neededBy !== null && renewal?.manual === false;
  const seen = seenAliases(relies ? { ...domain, forecast: null } : domain, order, fqdns, acmeZone);
  const isByHand = seen.map(({ isThere }) => !(isThere ?? relies));
  const toSet = open.filter((_, index) => isByHand[index]);
  if (isByHand.includes(true)) return { toSet, instructions: instructionsFor(order, toSet) };
  const wrong = seen.find(({ diagnosis }) => diagnosis?.actor === 'customer')?.diagnosis;
  return { toSet, instructions: wrong ? `${wrong.message} ${wrong.action}` : BY_ITSELF };
}

const BY_ITSELF = 'Nothing needs to be set: the rest happens by itself.';

function instructionsFor(order: Order, toSet: Authorization[]): string {
  if (toSet.length > 0) {
    const records = toSet.map(({ txtName, txtValue }) => `a TXT record at ${txtName} with the value ${txtValue}`);
    const until = order.deadlineAt ? ` before ${order.deadlineAt.toISOString()}` : '';
    return `Set ${records.join(' and ')}${until}. The rest happens by itself.`;
  }
  if (order.status === 'new' && order.reason?.until) {
    return `${order.reason.detail} Its turn is expected at about ${order.reason.until}; GET /orders/${order.id} then has the TXT value.`;
  }
  if (order.status === 'new') {
    return `The order is not placed yet. GET /orders/${order.id} has the TXT value as soon as the CA has told it.`;
  }
  return BY_ITSELF;
}
