/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Devices by their names, where several have one name. */

#include "config.h"

#include <gst/check/gstcheck.h>

/* --- cards --- */

typedef struct
{
  GstDevice parent;
  gchar *internal_name;
} Card;

typedef GstDeviceClass CardClass;

GType card_get_type (void);
G_DEFINE_TYPE (Card, card, GST_TYPE_DEVICE);

static GstElement *
card_create_element (GstDevice * device, const gchar * name)
{
  return gst_element_factory_make ("audiotestsrc",
      ((Card *) device)->internal_name);
}

static void
card_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  ((Card *) object)->internal_name = g_value_dup_string (value);
}

static void
card_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  g_value_set_string (value, ((Card *) object)->internal_name);
}

static void
card_finalize (GObject * object)
{
  g_free (((Card *) object)->internal_name);
  G_OBJECT_CLASS (card_parent_class)->finalize (object);
}

static void
card_init (Card * self)
{
}

static void
card_class_init (CardClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->set_property = card_set_property;
  object_class->get_property = card_get_property;
  object_class->finalize = card_finalize;
  class->create_element = card_create_element;
  g_object_class_install_property (object_class, 1,
      g_param_spec_string ("internal-name", "Internal name", "As ALSA's", NULL,
          G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY));
}

/* The same card, as another server lists it */
typedef Card OtherCard;
typedef GstDeviceClass OtherCardClass;

GType other_card_get_type (void);
G_DEFINE_TYPE (OtherCard, other_card, card_get_type ());

static void
other_card_init (OtherCard * self)
{
}

static void
other_card_class_init (OtherCardClass * class)
{
}

/* --- their server --- */

typedef GstDeviceProvider Cards;
typedef GstDeviceProviderClass CardsClass;

GType cards_get_type (void);
G_DEFINE_TYPE (Cards, cards, GST_TYPE_DEVICE_PROVIDER);

static GList *
add_card (GList * list, GType type, const gchar * shown, const gchar * internal)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("audio/x-raw");

  return g_list_append (list, g_object_new (type, "display-name", shown,
          "device-class", "Audio/Source", "caps", caps, "internal-name",
          internal, NULL));
}

static GList *
cards_probe (GstDeviceProvider * provider)
{
  GList *list = NULL;

  list = add_card (list, card_get_type (), "Twin", "card:0");
  list = add_card (list, card_get_type (), "Twin", "card:1");
  list = add_card (list, card_get_type (), "Single", "card:2");
  list = add_card (list, other_card_get_type (), "Single", "other:2");
  list = add_card (list, card_get_type (), "card:1", "card:3");
  return list;
}

static void
cards_init (Cards * self)
{
}

static void
cards_class_init (CardsClass * class)
{
  class->probe = cards_probe;
  gst_device_provider_class_set_static_metadata (class, "Cards",
      "Source/Audio", "Several of one name", "the nda authors");
}

/* --- tests --- */

/* The name of the card that an ndasrc opens, or NULL with the error. */
static gchar *
open_device (const gchar * name, GError ** error)
{
  GstElement *bin = gst_element_factory_make ("ndasrc", NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  gchar *opened = NULL;

  gst_element_set_bus (bin, bus);
  g_object_set (bin, "device", name, NULL);
  if (gst_element_set_state (bin, GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS)
    opened = gst_object_get_name (GST_OBJECT (GST_BIN_CHILDREN (bin)->data));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message)
    gst_message_parse_error (message, error, NULL);
  gst_element_set_state (bin, GST_STATE_NULL);
  gst_element_set_bus (bin, NULL);
  gst_object_unref (bin);
  return opened;
}

static void
fail_unless_opens (const gchar * name, const gchar * expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *opened = open_device (name, &error);

  g_assert_no_error (error);
  fail_unless_equals_string (opened, expected);
}

GST_START_TEST (test_an_internal_name_means_one_card)
{
  fail_unless_opens ("card:0", "card:0");
  /* though another is shown under that name */
  fail_unless_opens ("card:1", "card:1");
}

GST_END_TEST;

GST_START_TEST (test_a_card_that_two_servers_list_is_one)
{
  fail_unless_opens ("Single", "card:2");
  fail_unless_opens ("other:2", "other:2");
}

GST_END_TEST;

GST_START_TEST (test_two_cards_of_one_name_are_told_apart)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *opened = open_device ("Twin", &error);

  fail_unless_equals_string (opened, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (error->message,
          "“card:0” (Twin), “card:1” (Twin)")
      != NULL, "%s", error->message);
  fail_unless (strstr (error->message, "card:2") == NULL);
}

GST_END_TEST;

static Suite *
names_suite (void)
{
  Suite *suite = suite_create ("ndadevices");
  TCase *tcase = tcase_create ("devices");

  gst_device_provider_register (NULL, "cards", GST_RANK_PRIMARY + 100,
      cards_get_type ());
  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_an_internal_name_means_one_card);
  tcase_add_test (tcase, test_a_card_that_two_servers_list_is_one);
  tcase_add_test (tcase, test_two_cards_of_one_name_are_told_apart);
  return suite;
}

GST_CHECK_MAIN (names);
