import { DARK, LIGHT } from './styles';

describe('contrast', () => {
  const luminance = (colour: string) => {
    const channel = (at: number) => {
      const part = parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  };
  const contrast = (one: string, other: string) => {
    const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };

  describe.each([
    ['light', LIGHT],
    ['dark', DARK],
  ])('%s', (_name, colours) => {
    const tones = ['todo', 'wait', 'ok', 'bad'] as const;
    test.each([
      ...(['page', 'card', 'well'] as const).flatMap((ground) => (['ink', 'soft', 'link'] as const).map((text) => [text, ground] as const)),
      ...tones.flatMap((tone) => [[tone, `${tone}-bg`] as const, [tone, 'card'] as const, ['ink', `${tone}-bg`] as const]),
      ['link', 'todo-bg'] as const,
    ])('%s on %s', (text, ground) => {
      expect(contrast(colours[text], colours[ground])).toBeGreaterThanOrEqual(4.5);
    });

    test("a button's edge", () => {
      expect(contrast(colours.edge, colours.card)).toBeGreaterThanOrEqual(3);
    });
  });
});
