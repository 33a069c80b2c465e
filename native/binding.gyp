# The build of an installed package, into native/build/, by nanomsg-native-build. At the top of the package a binding.gyp would
# make package managers compile, or warn.
{
  "variables": { "nn_native": "." },
  "includes": ["addon.gypi"]
}
