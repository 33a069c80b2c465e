# How the addon is compiled. What includes this sets nn_native, the folder of this file as seen from its own.
{
  "targets": [
    {
      "target_name": "nanomsg_native",
      # TLS is the OpenSSL of Node.js itself, whose headers come with those of Node.js.
      "variables": {
        "nn_platform": "<!(node -p \"({ mac: 'darwin', win: 'windows' })['<(OS)'] || '<(OS)'\")",
        "nn_addon_api%": "<!(node -p \"try { '-isystem' + require('path').dirname(require.resolve('node-addon-api')) } catch { '-DNN_WITHOUT_ADDON_API' }\")",
        "nn_has_openssl%": "<!(node -p \"Number(require('fs').existsSync('<(node_root_dir)/include/node/openssl/ssl.h'))\")"
      },
      # The engine's files stand in sources.txt, in sources.<its name>.txt for each platform, and in sources.posix.txt for
      # all of them but Windows; CMakeLists.txt reads them too.
      "sources": [
        "<!@(node -p \"['', '.<(nn_platform)', '.posix'].slice(0, '<(OS)' === 'win' ? 2 : 3).flatMap(of => require('fs').readFileSync('<(nn_native)/sources' + of + '.txt', 'utf8').trim().split(/\\s+/)).map(name => '<(nn_native)/' + name).join(' ')\")",
        "<!@(node -p \"require('fs').readdirSync('<(nn_native)/binding').filter(name => name.endsWith('.cc')).map(name => '<(nn_native)/binding/' + name).join(' ')\")"
      ],
      "include_dirs": ["<(nn_native)", "<(nn_native)/include", "<(nn_native)/platform/<(nn_platform)"],
      "defines": [
        "_GNU_SOURCE",
        "NAPI_VERSION=8",
        "NAPI_DISABLE_CPP_EXCEPTIONS"
      ],
      "cflags": ["-fvisibility=hidden", "-Wall", "-Wextra", "-Wshadow", "-Wpointer-arith"],
      "cflags_c": ["-std=gnu11", "-Wconversion", "-Wsign-conversion", "-Wmissing-prototypes", "-Wundef", "-Wcast-qual"],
      # node-addon-api is a system header, so that our warnings do not concern it.
      "cflags_cc": [
        "-std=gnu++17",
        "-fvisibility-inlines-hidden",
        "<(nn_addon_api)"
      ],
      "configurations": {
        "Release": {
          "defines": ["NDEBUG"],
          "cflags": ["-O3"]
        }
      },
      "conditions": [
        # The platform's own headers come before those that it shares with others.
        ["OS!='win'", { "include_dirs": ["<(nn_native)/platform/posix"] }],
        ["nn_has_openssl==1", {
          "sources": ["<(nn_native)/streams/tls_context.c", "<(nn_native)/streams/tls_exit.c", "<(nn_native)/streams/tls_filter.c", "<(nn_native)/streams/tls_host.c", "<(nn_native)/streams/tls_wire.c"],
          "defines": ["NN_TLS_OF_HOST"]
        }, {
          "sources": ["<(nn_native)/streams/tls_none.c"]
        }],
        # The nn_* functions are visible: calls of our own must not reach another libnanomsg in the process.
        # The code stays in the process when the last environment that loaded it has ended: a thread may be in
        # getaddrinfo() then, and handlers of fork and of threads' ends are registered.
        ["OS=='linux' or OS=='freebsd'", { "ldflags": ["-Wl,-Bsymbolic-functions", "-Wl,-z,nodelete"] }],
        # With clang it would need a linker that many machines do not have.
        ["OS=='linux' and clang==0", {
          "cflags": ["-flto=auto"],
          "ldflags": ["-O3", "-flto=auto"]
        }]
      ],
      "xcode_settings": {
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "GCC_C_LANGUAGE_STANDARD": "gnu11",
        "CLANG_CXX_LANGUAGE_STANDARD": "gnu++17",
        "GCC_OPTIMIZATION_LEVEL": "3",
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "WARNING_CFLAGS": ["-Wall", "-Wextra", "-Wshadow", "-Wpointer-arith"],
        "OTHER_CPLUSPLUSFLAGS": [
          "<(nn_addon_api)"
        ]
      }
    }
  ]
}
