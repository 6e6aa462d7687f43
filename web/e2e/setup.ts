import { clean, open, sendExample, settled, stop } from './server';

const FILES: [string, { project: string; instrument?: string }][] = [
  ['infrared/poly2.csv', { project: 'cathodes' }],
  ['spectroscopy/aes_staib.vms', { project: 'cathodes' }],
  ['spectroscopy/raman_example.wdf', { project: 'cathodes' }],
  ['spectroscopy/ethanol_ms.jdx', { project: 'cathodes' }],
  ['thermal/Douglas_Fir_STA_10K_250730_R13.ngb-ss3', { project: 'wood' }],
  ['thermal/DF_FILED_STA_21O2_10K_220222_R1.ngb-ss3', { project: 'wood' }],
  ['thermal/01_Messung_Probe_G_300_Grad_Ar.ngb-ds3', { project: 'cathodes', instrument: 'sta-449' }],
  ['battery/test.ndax', { project: 'cathodes', instrument: 'neware' }],
  ['battery/test.nda', { project: 'cathodes', instrument: 'neware' }],
  ['diffraction/TiOF.brml', { project: 'cathodes' }],
  ['diffraction/TiO2.raw', { project: 'cathodes' }],
  ['diffraction/JO_KL_16_ZF_3_60deg_0.02step_12degpermin_001.rasx', { project: 'cathodes' }],
  ['diffraction/HL1-2_5-90_60min.xrdml', { project: 'cathodes', instrument: 'empyrean' }],
  ['diffraction/Scan_C2.xrdml', { project: 'cathodes', instrument: 'empyrean' }],
  ['diffraction/Scan_C3.xrdml', { project: 'cathodes', instrument: 'empyrean' }],
];

/** The platform of all tests; what this returns takes it down. */
export default async function setup() {
  const { served, child } = await open();
  const end = async () => {
    await stop(child);
    clean(served.data);
  };
  try {
    for (const [path, where] of FILES) await sendExample(served, path, where);
    await settled(served);
  } catch (error) {
    await end();
    throw error;
  }
  return end;
}
