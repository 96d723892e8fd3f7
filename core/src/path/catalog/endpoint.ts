import type { NameStyle, Selected } from '@peta/api';
import type { Offer, Picked } from './naming.ts';

/** What is shown at one address, before anyone asks who is looking. */
export type Endpoint = {
  readonly nameStyle: NameStyle;
  /** Lets in whoever comes without a token. */
  readonly anonymous: boolean;
  /** The servers it shows, in its order, each with what is chosen of it. */
  pick(offers: readonly Offer[]): readonly Picked[];
};

const whole = (offer: Offer): Picked => ({ offer, chosen: { serverId: offer.server.serverId } });

/** Everything there is: each caller sees of it what they may. */
export const everything = (nameStyle: NameStyle): Endpoint => ({
  nameStyle,
  anonymous: false,
  pick: (offers) => offers.map(whole),
});

/** The servers that are marked for anybody. */
export const forAnybody = (nameStyle: NameStyle): Endpoint => ({
  nameStyle,
  anonymous: true,
  pick: (offers) => offers.filter(({ server }) => server.enabled && server.anonymousAccess).map(whole),
});

/** The servers of a selection that exist, in its order. */
export const pickSelected = (selection: readonly Selected[], offers: readonly Offer[]): Picked[] => {
  const byId = new Map(offers.map((offer) => [offer.server.serverId, offer]));
  return selection.flatMap((chosen) => {
    const offer = byId.get(chosen.serverId);
    return offer ? [{ offer, chosen }] : [];
  });
};
