import { filterPattern, selected } from './filter-pattern';

/** The event of the user guide's examples, shortened. */
const event = {
  eventType: 'UpdateTrail',
  sourceIPAddress: '111.111.111.111',
  arrayKey: ['value', 'another value'],
  objectList: [
    { name: 'a', id: 1 },
    { name: 'b', id: 2 },
  ],
  SomeObject: null,
  cluster: { name: 'c' },
  'cluster.name': 'c2',
  errorCode: 400,
  isOn: true,
  user: { id: 1, email: 'John.Stiles@example.com' },
  actions: ['GET', 'PUT', 'DELETE'],
  coordinates: [
    [0, 1, 2],
    [4, 5, 6],
  ],
};

it.each([
  ['{ $.eventType = "UpdateTrail" }', true],
  ['{ $.eventType = "Update*" }', true],
  ['{ $.eventType = %Trail% }', true],
  ['{ $.eventType != "UpdateTrail" }', false],
  ['{ $.sourceIPAddress != 123.123.* }', true],
  ['{ $.arrayKey[0] = "value" }', true],
  ['{ $.objectList[1].id = 2 }', true],
  ['{ $.SomeObject IS NULL }', true],
  ['{ $.SomeOtherObject NOT EXISTS }', true],
  ['{ $.SomeOtherObject IS NULL }', false],
  ['{ $.SomeOtherObject = "x" }', false],
  ['{ $.isOn IS TRUE }', true],
  [`{ $['cluster.name'] = "c2" }`, true],
  ['{ $.errorCode = 400 }', true],
  ['{ $.errorCode >= 400 && $.errorCode < 500 }', true],
  ['{ ($.user.id = 1) && ($.user.email = "John.Stiles@example.com") }', true],
  ['{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = 5 && $.actions[2] = "nonmatch" }', true],
  ['{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = 5) && $.actions[2] = "nonmatch" }', false],
])('%s is %s', (pattern, expected) => {
  expect(filterPattern(pattern)(event)).toBe(expected);
});

it('refuses what is no pattern, and what the guide does not decide', () => {
  for (const wrong of ['$.a = 1', '{ $.a = }', '{ a = 1 }', '{ ($.a = 1 }', '{ $.a == 1 }']) expect(() => filterPattern(wrong)).toThrow();
  for (const undecided of ['{ $.eventType = 1 }', '{ $.errorCode = "400" }', '{ $.user = 1 }', '{ $.eventType > 1 }'])
    expect(() => filterPattern(undecided)(event)).toThrow(/compared/);
});

it('selects the value of a metric', () => {
  expect(selected('$.objectList[0].id', event)).toBe(1);
  expect(selected('$.objectList[9].id', event)).toBeUndefined();
});
