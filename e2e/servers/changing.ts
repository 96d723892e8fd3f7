/** The tool `grow` adds another tool and says that the list has changed. */
import { say, servePlain, text, tool } from './plain-stdio.ts';

const tools = [tool('grow')];

servePlain(
  () => tools,
  () => {
    tools.push(tool(`grown-${tools.length}`));
    setImmediate(() => say({ method: 'notifications/tools/list_changed' }));
    return { result: text('grew') };
  },
);
