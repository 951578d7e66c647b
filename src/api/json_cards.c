/* SPDX-License-Identifier: Apache-2.0 */
#include "api/json_cards.h"

#include <inttypes.h>

static void put_users(struct encoded *object, const struct card *card)
{
	const struct snapshot *snapshot = object->snapshot;

	encode_key(object, "users");
	text_putc(object->text, '[');
	for (uint32_t i = 0; i < card->users.count; i++) {
		const struct card_user *user = &snapshot->card_users[card->users.first + i];

		text_printf(object->text, "%s{\"pid\":%" PRIu32 ",\"handles\":%" PRIu32 "}",
			    i ? "," : "", snapshot->processes[user->process].pid, user->handles);
	}
	text_putc(object->text, ']');
}

static void put_driver(struct encoded *document)
{
	struct encoded driver;

	encode_key(document, "driver");
	encode_begin(&driver, document->text, document->snapshot);
	encode_flag(&driver, "loaded", document->snapshot->has_driver);
	encode_key(&driver, "version");
	(void)encode_text(driver.text,
			  snapshot_text(driver.snapshot, driver.snapshot->driver_version));
	encode_end(&driver);
}

void put_cards(struct encoded *document)
{
	const struct snapshot *snapshot = document->snapshot;
	struct encoded card;

	put_driver(document);
	encode_key(document, "cards");
	text_putc(document->text, '[');
	for (uint32_t i = 0; i < snapshot->card_count; i++) {
		if (i)
			text_putc(document->text, ',');
		encode_begin(&card, document->text, snapshot);
		encode_fields(&card, &card_fields, &snapshot->cards[i]);
		put_users(&card, &snapshot->cards[i]);
		encode_end(&card);
	}
	text_putc(document->text, ']');
}

void put_place(struct encoded *object, const struct device *device)
{
	const struct card *card = snapshot_card(object->snapshot, device);

	encode_fields(object, &place_fields, device);
	encode_key(object, "card");
	if (card)
		encode_number(object->text, card->number);
	else
		text_puts(object->text, "null");
}

static uint32_t find_process(const struct snapshot *snapshot, uint64_t pid)
{
	for (uint32_t i = 0; i < snapshot->process_count; i++)
		if (snapshot->processes[i].pid == pid &&
		    snapshot->processes[i].state != PROCESS_EXITED)
			return i;
	return SNAPSHOT_NONE;
}

static int decode_users(struct snapshot *snapshot, yyjson_val *array, struct span *ret_span)
{
	struct span users = {.first = snapshot->card_user_count};
	size_t i, max;
	yyjson_val *value;

	yyjson_arr_foreach(array, i, max, value) {
		uint32_t process =
			find_process(snapshot, yyjson_get_uint(yyjson_obj_get(value, "pid")));
		uint32_t index;

		/* a user that the document does not list is none that we could show */
		if (process == SNAPSHOT_NONE)
			continue;
		int r = snapshot_add_card_user(snapshot, &index);

		if (r < 0)
			return r;
		snapshot->card_users[index] = (struct card_user){
			process, (uint32_t)yyjson_get_uint(yyjson_obj_get(value, "handles"))};
		users.count++;
	}
	*ret_span = users;
	return 0;
}

int decode_cards(struct snapshot *snapshot, yyjson_val *root)
{
	yyjson_val *driver = yyjson_obj_get(root, "driver"), *value;
	size_t i, max;
	int r = decode_text(snapshot, yyjson_obj_get(driver, "version"),
			    &snapshot->driver_version);

	snapshot->has_driver = yyjson_is_true(yyjson_obj_get(driver, "loaded"));
	if (r < 0)
		return r;
	yyjson_arr_foreach(yyjson_obj_get(root, "cards"), i, max, value) {
		struct span users;
		uint32_t index;

		if ((r = decode_users(snapshot, yyjson_obj_get(value, "users"), &users)) < 0 ||
		    (r = snapshot_add_card(snapshot, &index)) < 0 ||
		    (r = decode_fields(snapshot, value, &card_fields, &snapshot->cards[index])) < 0)
			return r;
		snapshot->cards[index].users = users;
	}
	return 0;
}

int decode_place(struct snapshot *snapshot, yyjson_val *value, struct device *device)
{
	yyjson_val *card = yyjson_obj_get(value, "card");

	device->card = SNAPSHOT_NONE;
	for (uint32_t i = 0; yyjson_is_uint(card) && i < snapshot->card_count; i++)
		if (snapshot->cards[i].number == yyjson_get_uint(card))
			device->card = i;
	return decode_fields(snapshot, value, &place_fields, device);
}
