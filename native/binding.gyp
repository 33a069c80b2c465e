# The build of an installed package, into native/build/, by nanomsg-native-build. At the top of the package a binding.gyp
# would make package managers compile, or warn. node-addon-api is not installed with the package.
{
  "variables": { "nn_native": ".", "nn_addon_api": "-DNN_WITHOUT_ADDON_API" },
  "includes": ["addon.gypi"]
}
