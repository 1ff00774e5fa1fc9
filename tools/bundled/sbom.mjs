// A CycloneDX bill of materials. Without serial number and time, so that two builds give the same bytes.
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import * as Contrib from '@cyclonedx/cyclonedx-library/Contrib';
import spdxExpressionParse from 'spdx-expression-parse';

const licences = new Contrib.License.Factories.LicenseFactory(spdxExpressionParse);
const builder = new Contrib.FromNodePackageJson.Builders.ComponentBuilder(new Contrib.FromNodePackageJson.Factories.ExternalReferenceFactory(), licences);

/**
 * @param subject manifest of what the bill is of, with the SHA-256 of its file if it is one
 * @param packages what is in it, as of packages.mjs
 */
export function billOfMaterials({ manifest, type, sha256 }, { packages, direct }) {
  const bom = new Models.Bom();
  const subject = component(manifest, type);
  if (sha256) subject.hashes.set(Enums.HashAlgorithm['SHA-256'], sha256);
  bom.metadata.component = subject;
  const components = new Map([...packages].map(([key, one]) => [key, component(one.manifest, Enums.ComponentType.Library)]));
  for (const [key, one] of components) {
    bom.components.add(one);
    for (const imported of packages.get(key).imports) one.dependencies.add(components.get(imported).bomRef);
  }
  for (const key of direct) subject.dependencies.add(components.get(key).bomRef);
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 1 })}\n`;
}

function component(manifest, type) {
  const made = builder.makeComponent(manifest, type);
  made.purl = `pkg:npm/${manifest.name.replace('@', '%40')}@${manifest.version}`; // purl specification, type npm
  made.bomRef.value = made.purl;
  return made;
}
