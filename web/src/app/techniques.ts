/** Technique → family; a family has one colour (`--z-family-*` in global.css), used for techniques only. */
const FAMILY: Record<string, string> = {
  xrd: 'diffraction',
  xps: 'photoemission',
  ups: 'photoemission',
  aes: 'photoemission',
  raman: 'optical',
  photoluminescence: 'optical',
  ir: 'optical',
  uv_vis: 'optical',
  fluorescence: 'optical',
  tga: 'thermal',
  dsc: 'thermal',
  sta: 'thermal',
  dilatometry: 'thermal',
  laser_flash: 'thermal',
  battery_cycling: 'electrochemical',
  magnetometry: 'magnetic',
  heat_capacity: 'magnetic',
  transport: 'magnetic',
  nmr: 'molecular',
  mass_spectrometry: 'molecular',
  ion_mobility: 'molecular',
};

export const techniqueColour = (technique: string) => `var(--z-family-${FAMILY[technique] ?? 'generic'})`;
