/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which device is meant by a name, and what its element is asked for. The
 * providers are the test's own, under the names of the real ones. */

#include "config.h"

#include "frail.h"

#include <gst/base/gstbasesrc.h>
#include <gst/check/gstcheck.h>

/* --- providers --- */

typedef struct
{
  GstDevice parent;
  const gchar *factory;         /* [const] of the element */
} FakeDevice;

typedef GstDeviceClass FakeDeviceClass;

GType fake_device_get_type (void);
G_DEFINE_TYPE (FakeDevice, fake_device, GST_TYPE_DEVICE);

static GstElement *
fake_device_create_element (GstDevice * device, const gchar * name)
{
  return gst_element_factory_make (((FakeDevice *) device)->factory, name);
}

static void
fake_device_init (FakeDevice * self)
{
}

static void
fake_device_class_init (FakeDeviceClass * class)
{
  class->create_element = fake_device_create_element;
}

static GstDevice *
fake_device_new (const gchar * shown, const gchar * factory,
    GstStructure * details)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("audio/x-raw");
  FakeDevice *self = g_object_new (fake_device_get_type (), "display-name",
      shown, "device-class", "Audio/Source", "caps", caps, "properties",
      details, NULL);

  self->factory = factory;
  gst_structure_free (details);
  return GST_DEVICE (self);
}

static guint n_unprepared;      /* times that one was asked but did not run */
static const gchar *serial;     /* what devices of the one for PulseAudio say */

static GList *
fake_probe (GstDeviceProvider * provider)
{
  n_unprepared++;
  return NULL;
}

static void
fake_stop (GstDeviceProvider * provider)
{
}

static void
fake_class_init (GstDeviceProviderClass * class,
    gboolean (*start) (GstDeviceProvider *))
{
  class->probe = fake_probe;
  class->start = start;
  class->stop = fake_stop;
  gst_device_provider_class_set_static_metadata (class, "Fake",
      "Source/Sink/Audio", "Offers devices", "the nda authors");
}

typedef GstDeviceProvider FakePulse;
typedef GstDeviceProviderClass FakePulseClass;

GType fake_pulse_get_type (void);
G_DEFINE_TYPE (FakePulse, fake_pulse, GST_TYPE_DEVICE_PROVIDER);

static gboolean
fake_pulse_start (GstDeviceProvider * provider)
{
  GstStructure *details = gst_structure_new ("details", "node.name",
      G_TYPE_STRING, "mic", NULL);

  if (serial)
    gst_structure_set (details, "object.serial", G_TYPE_STRING, serial, NULL);
  gst_device_provider_device_add (provider,
      fake_device_new ("Microphone", "frailsrc", details));
  return TRUE;
}

static void
fake_pulse_init (FakePulse * self)
{
}

static void
fake_pulse_class_init (FakePulseClass * class)
{
  fake_class_init (class, fake_pulse_start);
}

typedef GstDeviceProvider FakeNative;
typedef GstDeviceProviderClass FakeNativeClass;

GType fake_native_get_type (void);
G_DEFINE_TYPE (FakeNative, fake_native, GST_TYPE_DEVICE_PROVIDER);

static gboolean
fake_native_start (GstDeviceProvider * provider)
{
  gst_device_provider_device_add (provider, fake_device_new ("Microphone",
          "audiotestsrc", gst_structure_new ("details", "node.name",
              G_TYPE_STRING, "mic", NULL)));
  gst_device_provider_device_add (provider, fake_device_new ("Other",
          "pipewiresrc", gst_structure_new ("details", "node.name",
              G_TYPE_STRING, "other", NULL)));
  return TRUE;
}

static void
fake_native_init (FakeNative * self)
{
}

static void
fake_native_class_init (FakeNativeClass * class)
{
  fake_class_init (class, fake_native_start);
}

/* --- a stand-in for pipewiresrc, which needs no server --- */

typedef struct
{
  GstBaseSrc parent;
  GstStructure *wishes;         /* owned; or NULL */
  gchar *target;                /* owned; or NULL */
} FakePipewireSrc;

typedef GstBaseSrcClass FakePipewireSrcClass;

static GObjectClass *fake_pipewire_src_parent_class;

enum
{
  PROP_STREAM_PROPERTIES = 1,
  PROP_TARGET_OBJECT,
};

static void
fake_pipewire_src_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  FakePipewireSrc *self = (FakePipewireSrc *) object;

  if (id == PROP_STREAM_PROPERTIES) {
    g_clear_pointer (&self->wishes, gst_structure_free);
    self->wishes = g_value_dup_boxed (value);
  } else {
    g_free (self->target);
    self->target = g_value_dup_string (value);
  }
}

static void
fake_pipewire_src_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  FakePipewireSrc *self = (FakePipewireSrc *) object;

  if (id == PROP_STREAM_PROPERTIES)
    g_value_set_boxed (value, self->wishes);
  else
    g_value_set_string (value, self->target);
}

static void
fake_pipewire_src_finalize (GObject * object)
{
  FakePipewireSrc *self = (FakePipewireSrc *) object;

  g_clear_pointer (&self->wishes, gst_structure_free);
  g_free (self->target);
  fake_pipewire_src_parent_class->finalize (object);
}

static void
fake_pipewire_src_class_init (gpointer class, gpointer unused)
{
  GObjectClass *object_class = class;
  g_autoptr (GstCaps) any = gst_caps_new_any ();

  fake_pipewire_src_parent_class = g_type_class_peek_parent (class);
  object_class->set_property = fake_pipewire_src_set_property;
  object_class->get_property = fake_pipewire_src_get_property;
  object_class->finalize = fake_pipewire_src_finalize;
  g_object_class_install_property (object_class, PROP_STREAM_PROPERTIES,
      g_param_spec_boxed ("stream-properties", "", "", GST_TYPE_STRUCTURE,
          G_PARAM_READWRITE));
  g_object_class_install_property (object_class, PROP_TARGET_OBJECT,
      g_param_spec_string ("target-object", "", "", NULL, G_PARAM_READWRITE));
  gst_element_class_add_pad_template (class, gst_pad_template_new ("src",
          GST_PAD_SRC, GST_PAD_ALWAYS, any));
  gst_element_class_set_static_metadata (class, "PipeWire source",
      "Source/Video", "Stands in for pipewiresrc", "the nda authors");
}

/* Under the name of the real type, by which nda knows its kind */
static GType
register_pipewire_src (void)
{
  return g_type_register_static_simple (GST_TYPE_BASE_SRC, "GstPipeWireSrc",
      sizeof (FakePipewireSrcClass), fake_pipewire_src_class_init,
      sizeof (FakePipewireSrc), NULL, 0);
}

/* --- the fixture --- */

static void
remove_feature (const gchar * name, GType type)
{
  g_autoptr (GstPluginFeature) feature =
      gst_registry_find_feature (gst_registry_get (), name, type);

  if (feature)
    gst_registry_remove_feature (gst_registry_get (), feature);
}

static void
setup (void)
{
  const gchar *const real[] = {
    "pulsedeviceprovider", "pipewiredeviceprovider", "alsadeviceprovider"
  };
  GstElement *pulsesink = gst_element_factory_make ("pulsesink", NULL);

  /* whose plugin brings a provider when it is loaded */
  gst_object_unref (gst_object_ref_sink (pulsesink));
  for (guint i = 0; i < G_N_ELEMENTS (real); i++)
    remove_feature (real[i], GST_TYPE_DEVICE_PROVIDER_FACTORY);
  remove_feature ("pipewiresrc", GST_TYPE_ELEMENT_FACTORY);
  gst_device_provider_register (NULL, "pulsedeviceprovider",
      GST_RANK_PRIMARY, fake_pulse_get_type ());
  gst_device_provider_register (NULL, "pipewiredeviceprovider",
      GST_RANK_PRIMARY + 1, fake_native_get_type ());
  gst_element_register (NULL, "pipewiresrc", GST_RANK_NONE,
      register_pipewire_src ());
  frail_register ();
  n_unprepared = 0;
  serial = NULL;
}

/* What ndasrc makes of @device (transfer full); in NULL, whether or not it
 * could be opened. */
static GstElement *
make_source (GstElement ** src, const gchar * device)
{
  *src = gst_check_setup_element ("ndasrc");
  g_object_set (*src, "device", device, NULL);
  fail_unless_equals_int (gst_element_set_state (*src, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);
  for (GList * l = GST_BIN_CHILDREN (*src); l; l = l->next)
    if (GST_OBJECT_FLAG_IS_SET (l->data, GST_ELEMENT_FLAG_SOURCE))
      return gst_object_ref (l->data);
  fail ("there is no source inside");
  return NULL;
}

static void
check_factory (const gchar * device, const gchar * factory)
{
  GstElement *src;
  g_autoptr (GstElement) source = make_source (&src, device);

  fail_unless_equals_string (GST_OBJECT_NAME (gst_element_get_factory (source)),
      factory);
  gst_element_set_state (src, GST_STATE_NULL);
  gst_object_unref (src);
}

/* --- the tests --- */

GST_START_TEST (test_a_provider_is_asked_while_it_runs)
{
  check_factory ("mic", "frailsrc");
  fail_unless_equals_int (n_unprepared, 0);
}

GST_END_TEST;

GST_START_TEST (test_what_two_offer_is_taken_from_pulseaudio)
{
  check_factory ("Microphone", "frailsrc");
  check_factory ("mic", "frailsrc");
}

GST_END_TEST;

GST_START_TEST (test_what_only_pipewire_offers_is_taken_from_there)
{
  check_factory ("Other", "pipewiresrc");
}

GST_END_TEST;

/* A serial number is another one after a restart of the server. */
GST_START_TEST (test_a_device_of_pipewire_is_known_by_its_name)
{
  GstElement *src;
  g_autoptr (GstElement) source = make_source (&src, "Other");
  g_autofree gchar *target = NULL;

  g_object_get (source, "target-object", &target, NULL);
  fail_unless_equals_string (target, "other");
  gst_element_set_state (src, GST_STATE_NULL);
  gst_object_unref (src);
}

GST_END_TEST;

GST_START_TEST (test_pipewire_is_asked_for_a_quantum_of_one_block)
{
  GstElement *src;
  g_autoptr (GstElement) source = make_source (&src, "Other");
  g_autoptr (GstStructure) wishes = NULL;

  g_object_get (source, "stream-properties", &wishes, NULL);
  fail_unless (wishes != NULL);
  fail_unless_equals_string (gst_structure_get_string (wishes, "node.latency"),
      "512/48000");
  gst_element_set_state (src, GST_STATE_NULL);
  gst_object_unref (src);
}

GST_END_TEST;

GST_START_TEST (test_a_quantum_that_the_user_chose_stays)
{
  GstElement *source = gst_element_factory_make ("pipewiresrc", NULL);
  g_autoptr (GstElement) owned = gst_object_ref_sink (source);
  g_autoptr (GstStructure) wishes = gst_structure_new ("p", "node.latency",
      G_TYPE_STRING, "64/48000", "other", G_TYPE_STRING, "stays", NULL);
  g_autoptr (GstStructure) now = NULL;
  GstElement *src = gst_check_setup_element ("ndasrc");

  g_object_set (source, "stream-properties", wishes, NULL);
  g_object_set (src, "source", source, NULL);
  gst_element_set_state (src, GST_STATE_READY);
  g_object_get (source, "stream-properties", &now, NULL);
  fail_unless (gst_structure_is_equal (now, wishes));
  gst_element_set_state (src, GST_STATE_NULL);
  gst_object_unref (src);
}

GST_END_TEST;

GST_START_TEST (test_pipewire_is_asked_for_both_channels)
{
  GstElement *src;
  g_autoptr (GstElement) source = make_source (&src, "Other");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");
  g_autoptr (GstCaps) caps = gst_pad_peer_query_caps (pad, NULL);
  g_autoptr (GstCaps) mono = gst_caps_from_string ("audio/x-raw, "
      "format = F32LE, rate = 48000, channels = 1");
  const GstStructure *best;
  gint n_channels;

  fail_unless (gst_caps_get_size (caps) > 1);
  best = gst_caps_get_structure (caps, 0);
  fail_unless (gst_structure_get_int (best, "channels", &n_channels));
  fail_unless_equals_int (n_channels, 2);
  /* but not held to them */
  fail_unless (gst_caps_can_intersect (caps, mono));
  gst_element_set_state (src, GST_STATE_NULL);
  gst_object_unref (src);
}

GST_END_TEST;

GST_START_TEST (test_the_error_names_each_device_once)
{
  GstElement *src = gst_check_setup_element ("ndasrc");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  const gchar *named;

  gst_element_set_bus (src, bus);
  g_object_set (src, "device", "nothing", NULL);
  fail_unless_equals_int (gst_element_set_state (src, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  named = strstr (error->message, "Microphone");
  fail_unless (named != NULL, "%s", error->message);
  fail_unless (!strstr (named + 1, "Microphone"), "%s", error->message);
  fail_unless (strstr (error->message, "Other") != NULL);
  gst_element_set_bus (src, NULL);
  gst_object_unref (src);
}

GST_END_TEST;

static gboolean
has_factory (const gchar * name)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (name);

  return factory != NULL;
}

/* Of @sink, when it has been put into an ndasink */
static gint64
get_buffer_time (const gchar * factory)
{
  GstElement *sink = gst_element_factory_make (factory, NULL);
  g_autoptr (GstElement) owned = gst_object_ref_sink (sink);
  GstElement *outer = gst_check_setup_element ("ndasink");
  gint64 buffer_time;

  g_object_set (outer, "sink", sink, NULL);
  gst_element_set_state (outer, GST_STATE_READY);
  g_object_get (sink, "buffer-time", &buffer_time, NULL);
  gst_element_set_state (outer, GST_STATE_NULL);
  gst_object_unref (outer);
  return buffer_time;
}

GST_START_TEST (test_a_speaker_is_asked_for_the_periods_of_its_server)
{
  fail_unless_equals_int64 (get_buffer_time ("pulsesink"), 3 * 10667);
  serial = "25";
  fail_unless_equals_int64 (get_buffer_time ("pulsesink"), 4 * 10667);
  if (has_factory ("jackaudiosink"))
    fail_unless_equals_int64 (get_buffer_time ("jackaudiosink"), 2 * 10667);
}

GST_END_TEST;

static Suite *
devices_suite (void)
{
  Suite *suite = suite_create ("devices");
  TCase *tcase = tcase_create ("all");

  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, setup, NULL);
  tcase_add_test (tcase, test_a_provider_is_asked_while_it_runs);
  tcase_add_test (tcase, test_what_two_offer_is_taken_from_pulseaudio);
  tcase_add_test (tcase, test_what_only_pipewire_offers_is_taken_from_there);
  tcase_add_test (tcase, test_a_device_of_pipewire_is_known_by_its_name);
  tcase_add_test (tcase, test_pipewire_is_asked_for_a_quantum_of_one_block);
  tcase_add_test (tcase, test_a_quantum_that_the_user_chose_stays);
  tcase_add_test (tcase, test_pipewire_is_asked_for_both_channels);
  tcase_add_test (tcase, test_the_error_names_each_device_once);
  tcase_add_test (tcase, test_a_speaker_is_asked_for_the_periods_of_its_server);
  return suite;
}

GST_CHECK_MAIN (devices);
