/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digests by OpenSSL EVP, CRC-32 by zlib. */
#include "common/ext/digest.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <zlib.h>

#include "common/base/cleanup.h"

struct digest {
	EVP_MD_CTX *context;
	EVP_MD *algorithm; /* fetched once: fetching by name at each start is slow */
};

int digest_new(enum digest_kind kind, struct digest **ret, struct err *e)
{
	_cleanup_(digest_freep) struct digest *d = calloc(1, sizeof(*d));
	const char *name = kind == DIGEST_MD5 ? "MD5" : "SHA256";

	if (!d)
		return err_oom(e);
	d->algorithm = EVP_MD_fetch(NULL, name, NULL);
	d->context = EVP_MD_CTX_new();
	if (!d->algorithm || !d->context)
		return err_set(e, ENOTSUP, "OpenSSL does not offer %s", name);
	*ret = take_ptr(d);
	return 0;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->context);
	EVP_MD_free(d->algorithm);
	free(d);
}

int digest_start(struct digest *d)
{
	return EVP_DigestInit_ex2(d->context, d->algorithm, NULL) == 1 ? 0 : -EIO;
}

int digest_update(struct digest *d, const void *data, size_t len_bytes)
{
	return EVP_DigestUpdate(d->context, data, len_bytes) == 1 ? 0 : -EIO;
}

int digest_finish(struct digest *d, uint8_t *ret)
{
	return EVP_DigestFinal_ex(d->context, ret, NULL) == 1 ? 0 : -EIO;
}

int digest_once(struct digest *d, const void *data, size_t len_bytes, uint8_t *ret)
{
	int r = digest_start(d);

	if (r == 0)
		r = digest_update(d, data, len_bytes);
	return r == 0 ? digest_finish(d, ret) : r;
}

uint32_t crc32_of(const void *data, size_t len_bytes)
{
	return (uint32_t)crc32_z(0, data, len_bytes);
}

int base64_encode(const void *data, size_t len_bytes, char **ret)
{
	char *text;

	if (len_bytes > INT32_MAX / 2)
		return -EINVAL;
	text = malloc((len_bytes + 2) / 3 * 4 + 1);
	if (!text)
		return -ENOMEM;
	(void)EVP_EncodeBlock((unsigned char *)text, data, (int)len_bytes);
	*ret = text;
	return 0;
}

int random_bytes(void *out, size_t len_bytes)
{
	if (len_bytes > INT32_MAX || RAND_bytes(out, (int)len_bytes) != 1)
		return -EIO;
	return 0;
}
