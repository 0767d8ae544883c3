import type { Words } from './words.js';

export const words: Words = {
  heading: 'Rydych ar fin cael eich allgofnodi',
  text: 'Er eich diogelwch, byddwn yn eich allgofnodi ymhen {time}.',
  fixed: 'Ni allwch aros wedi mewngofnodi yn hirach. Cadwch eich gwaith nawr.',
  left: '{time} ar ôl',
  stay: 'Aros wedi mewngofnodi',
  continue: 'Parhau',
  'sign-out': 'Allgofnodi',
  unreachable: 'Nid oes modd cyrraedd y gwasanaeth',
  failed: 'Nid oedd modd cyrraedd y gwasanaeth. Rhowch gynnig arall arni.',
  locked: 'Er eich diogelwch, rydym wedi cloi’r dudalen hon',
  'unlock-page': 'Datgloi',
  kept: 'Mae eich gwaith yma o hyd.',
  retry: 'Rhoi cynnig arall arni',
  ended: 'Er eich diogelwch, rydym wedi eich allgofnodi',
  'signed-out': 'Rydych wedi allgofnodi',
  unit: (count, unit) => (unit === 'second' ? 'eiliad' : count < 3 ? 'funud' : 'munud'),
};
