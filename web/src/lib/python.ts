/** What gets the same plot in a notebook; the token is read from the environment's ZAIRYO_TOKEN. */
export function pythonFor(url: string, uid: string, entry: string): string {
  return `import zairyo

lab = zairyo.connect(${JSON.stringify(url)})
m = lab.measurement(${JSON.stringify(uid)}).read()
m.plot(${JSON.stringify(entry)})
data = m.to_xarray(${JSON.stringify(entry)})
`;
}
