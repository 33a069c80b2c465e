/* Files of PEM, each of some systems. Only their administrators can write there. */
#include "platform/authorities.h"

static const char *const files[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Gentoo */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora and relatives */
    "/etc/ssl/ca-bundle.pem",             /* SUSE */
    "/etc/ssl/cert.pem",                  /* Alpine, BSD, macOS */
};

const char *sp_authorities_file(size_t number)
{
    return number < sizeof files / sizeof files[0] ? files[number] : NULL;
}
