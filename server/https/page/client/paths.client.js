// Paths of files, and how they stand in addresses.

export const encoded = (path) => path.split('/').map(encodeURIComponent).join('/');
export const join = (folder, name) => (folder === '/' ? `/${name}` : `${folder}/${name}`);
export const parentOf = (path) => path.slice(0, path.lastIndexOf('/')) || '/';
export const nameOf = (path) => path.slice(path.lastIndexOf('/') + 1);

export const hashOf = (folder) => `#${encoded(folder)}`;

/** The folder that an address of this page names. */
export function folderIn(hash) {
  try {
    return decodeURIComponent(hash.slice(1)).replace(/(.)\/+$/, '$1') || '/';
  } catch {
    return '/';
  }
}
