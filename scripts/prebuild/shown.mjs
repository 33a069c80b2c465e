// What the addons export, as native/addon.map says to the linker for Linux.
const SHOWN = /^(nn_[a-z_]+|napi_register_module_v1|node_api_module_get_api_version_v1)$/

export const ENTRY = 'napi_register_module_v1'
export const isShown = (name) => SHOWN.test(name)
