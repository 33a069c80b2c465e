# The build of the repository, into build/. native/binding.gyp is that of an installed package.
{
  "variables": { "nn_native": "native" },
  "includes": ["native/addon.gypi"]
}
