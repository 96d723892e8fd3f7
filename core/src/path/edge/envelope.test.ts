import { describe, expect, test } from 'vitest';
import { readJson } from '#lib/json';
import { envelopeFault } from './envelope.ts';
import { createById, isRequestId } from './ids.ts';

const call = (params: string) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
const faultOf = (text: string) => envelopeFault(readJson(text));

describe('a key of the protocol in another case', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":1,"Method":"ping"}', 'Method', 'method'],
    ['{"JSONRPC":"2.0","id":1,"method":"ping"}', 'JSONRPC', 'jsonrpc'],
    ['{"jsonrpc":"2.0","ID":1,"method":"ping"}', 'ID', 'id'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","PARAMS":{}}', 'PARAMS', 'params'],
    [call('{"name":"a","Name":"b"}'), 'params.Name', 'params.name'],
    [call('{"name":"a","Arguments":{}}'), 'params.Arguments', 'params.arguments'],
    [call('{"URI":"x"}'), 'params.URI', 'params.uri'],
    [call('{"_Meta":{}}'), 'params._Meta', 'params._meta'],
    [call('{"requeststate":"x"}'), 'params.requeststate', 'params.requestState'],
    [call('{"inputresponses":{}}'), 'params.inputresponses', 'params.inputResponses'],
    [call('{"ref":{"type":"ref/prompt","NAME":"x"}}'), 'params.ref.NAME', 'params.ref.name'],
    [call('{"_meta":{"progresstoken":1}}'), 'params._meta.progresstoken', 'params._meta.progressToken'],
    [
      call('{"_meta":{"IO.modelcontextprotocol/anything":1}}'),
      'params._meta.IO.modelcontextprotocol/anything',
      'params._meta.io.modelcontextprotocol/anything',
    ],
    [call('{"argument\u017f":{}}'), 'params.argument\u017f', 'params.arguments'],
    [call('{"progressTo\u212aen":1}'), 'params.progressTo\u212aen', 'params.progressToken'],
  ])('is refused: %s', (text, written, proper) => {
    expect(faultOf(text)).toBe(`The key "${written}" must be written "${proper}": keys are told apart by case.`);
  });

  test.each([
    call('{"name":"a","arguments":{"Name":1,"URI":2,"Method":3},"_meta":{"Progress":1,"com.example/Name":2}}'),
    call('{"unknown":1,"Extension":{"Name":1},"__proto__":{"Name":1},"constructor":1}'),
    '{"jsonrpc":"2.0","id":1,"result":{"Name":"a"}}',
    '[{"Method":"ping"}]',
    '"Method"',
    'null',
  ])('is not seen where the key is somebody else’s: %s', (text) => {
    expect(faultOf(text)).toBeUndefined();
  });
});

test('params that are a number are none', () => {
  expect(faultOf(call('1.0'))).toBe('The params must be an object.');
});

describe('an id', () => {
  test.each(['"a"', '""', '0', '-1', '9007199254740993', '-12345678901234567890', '1.0', '1e3', '9'.repeat(400)])(
    '%s is taken',
    (id) => {
      expect(isRequestId(readJson(id))).toBe(true);
      expect(faultOf(`{"id":${id}}`)).toBeUndefined();
    },
  );

  test.each(['1.5', '0.10', '1e400', '1e-3', 'true', '{}', '[]'])('%s is refused', (id) => {
    expect(faultOf(`{"id":${id}}`)).toBe('The id must be a string or an integer.');
  });

  test('finds what it names, and not what its text or its neighbour names', () => {
    const held = createById<string>();
    held.set('1', 'text');
    held.set(1, 'number');
    const big = readJson('9007199254740993');
    if (!isRequestId(big)) throw new Error('It is an id.');
    held.set(big, 'big');
    expect([held.get('1'), held.get(1), held.get(9007199254740992)]).toEqual(['text', 'number', undefined]);
    const again = readJson('9007199254740993');
    expect(isRequestId(again) && held.get(again)).toBe('big');
    held.delete(big);
    expect([...held.values()]).toEqual(['text', 'number']);
  });
});
