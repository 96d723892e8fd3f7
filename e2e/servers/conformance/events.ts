/** Keeps what a session's streams carried, so that a client that comes back misses nothing. */
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';

type Event = { id: string; stream: string; message: JSONRPCMessage };

/** Makes the store of one session. */
export const createEventStore = (): EventStore => {
  const events: Event[] = [];
  const find = (id: string) => events.findIndex((event) => event.id === id);
  return {
    storeEvent: async (stream, message) => {
      const id = `${stream}/${events.length}`;
      events.push({ id, stream, message });
      return id;
    },
    getStreamIdForEventId: async (id) => events[find(id)]?.stream,
    replayEventsAfter: async (id, { send }) => {
      const at = find(id);
      const stream = events[at]?.stream;
      if (stream === undefined) throw new Error('unknown event');
      for (const event of events.slice(at + 1)) {
        if (event.stream === stream && isMessage(event)) await send(event.id, event.message);
      }
      return stream;
    },
  };
};

/** The first event of a stream only carries an id. */
const isMessage = ({ message }: Event) => Object.keys(message).length > 0;
